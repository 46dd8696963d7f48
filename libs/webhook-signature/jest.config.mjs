import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('webhook-signature', import.meta.dirname);
