import { projectPreset } from '../jest.preset.mjs';

export default projectPreset('keys-cli', import.meta.dirname);
