// The controllers of the dispatcher, over objects that `start` has made.
import { Module, type DynamicModule } from '@nestjs/common';
import { DeliveriesRpc } from './deliveries/deliveries.rpc.js';
import { DeliveryTable } from './deliveries/delivery-table.js';
import { EventsConsumer } from './deliveries/events.consumer.js';
import { FanOut } from './deliveries/fan-out.js';
import { Endpoints } from './endpoints/endpoints.js';
import { EndpointsRpc } from './endpoints/endpoints.rpc.js';

@Module({})
export class AppModule {
  static over(endpoints: Endpoints, deliveries: DeliveryTable, fanOut: FanOut): DynamicModule {
    return {
      module: AppModule,
      controllers: [EndpointsRpc, DeliveriesRpc, EventsConsumer],
      providers: [
        { provide: Endpoints, useValue: endpoints },
        { provide: DeliveryTable, useValue: deliveries },
        { provide: FanOut, useValue: fanOut },
      ],
    };
  }
}
