import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('contracts', import.meta.dirname);
