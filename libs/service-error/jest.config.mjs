import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('service-error', import.meta.dirname);
