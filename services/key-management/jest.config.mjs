import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('key-management', import.meta.dirname);
