// Every route of the public HTTP server: what is served, what the reference describes, and what the tests walk through.
import { AuditLogController } from './audit/audit-log.controller.js';
import { GoalsController } from './goals/goals.controller.js';
import { ProblemsController } from './http/problems.controller.js';
import { KeysController } from './keys/keys.controller.js';
import { LeaksController } from './keys/leaks.controller.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ReferencePageController } from './openapi/reference-page.controller.js';
import { PagesController } from './pages/pages.controller.js';
import { TrackingController } from './tracking/tracking.controller.js';
import { DeliveriesController } from './webhooks/deliveries.controller.js';
import { EventTypesController } from './webhooks/event-types.controller.js';
import { ReplaysController } from './webhooks/replays.controller.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';
import { WorkspacesController } from './workspaces/workspaces.controller.js';

export const controllers = [
  WorkspacesController,
  KeysController,
  LeaksController,
  AuditLogController,
  PagesController,
  GoalsController,
  TrackingController,
  WebhooksController,
  DeliveriesController,
  ReplaysController,
  EventTypesController,
  OpenApiController,
  ReferencePageController,
  ProblemsController,
];
