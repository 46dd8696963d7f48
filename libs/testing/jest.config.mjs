import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('testing', import.meta.dirname);
