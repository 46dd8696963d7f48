import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('webhook-dispatcher', import.meta.dirname);
