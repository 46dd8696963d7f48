import { projectPreset } from '../../tools/jest.preset.mjs';

export default projectPreset('outbox', import.meta.dirname);
