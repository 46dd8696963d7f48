import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('messaging', import.meta.dirname);
