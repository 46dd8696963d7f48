// The controllers of the dispatcher, over objects that `start` has made.
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { ByHand } from './deliveries/by-hand.js';
import { DeliveriesRpc } from './deliveries/deliveries.rpc.js';
import { DeliveryTable } from './deliveries/delivery-table.js';
import { EventsConsumer } from './deliveries/events.consumer.js';
import { FanOut } from './deliveries/fan-out.js';
import { EndpointsRpc } from './endpoints/endpoints.rpc.js';
import { Replays } from './replays/replays.js';
import { ReplaysRpc } from './replays/replays.rpc.js';

@Module({})
export class AppModule {
  static over(endpoints: Provider[], deliveries: DeliveryTable, fanOut: FanOut, byHand: ByHand, replays: Replays): DynamicModule {
    return {
      module: AppModule,
      controllers: [EndpointsRpc, DeliveriesRpc, ReplaysRpc, EventsConsumer],
      providers: [
        ...endpoints,
        { provide: DeliveryTable, useValue: deliveries },
        { provide: FanOut, useValue: fanOut },
        { provide: ByHand, useValue: byHand },
        { provide: Replays, useValue: replays },
      ],
    };
  }
}
