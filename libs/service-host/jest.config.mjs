import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('service-host', import.meta.dirname);
