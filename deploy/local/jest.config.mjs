import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('local-stack', import.meta.dirname);
