// What every service process shares: configuration, start and stop, health, logs, telemetry, its database.
export * from './clock.js';
export * from './config.js';
export * from './database.js';
export * from './health.js';
export * from './insert-once.js';
export * from './logger.js';
export * from './redact.js';
export * from './row-security.js';
export * from './run-service.js';
export * from './settings.js';
export * from './telemetry/recording.js';
export * from './telemetry/sent-trace.js';
export * from './turns.js';
export * from './workspace-scope.js';
