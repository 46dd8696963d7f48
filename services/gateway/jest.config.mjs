import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('gateway', import.meta.dirname);
