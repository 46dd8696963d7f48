import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('reporting', import.meta.dirname);
