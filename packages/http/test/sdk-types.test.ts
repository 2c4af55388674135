import type { EventStore as EventStoreV1 } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { EventStore as EventStoreV2, ServerEvent as SdkEvent, ServerEventBus, ServerOptions } from '@modelcontextprotocol/server'
import { describe, expectTypeOf, it } from 'vitest'
import type { EventBus, RequestStates, ServerEvent, SessionEventStore } from '../src/index.ts'

describe('SessionEventStore', () => {
  it('is the event store of both SDK majors', () => {
    expectTypeOf<SessionEventStore>().toExtend<EventStoreV1>()
    expectTypeOf<SessionEventStore>().toExtend<EventStoreV2>()
    expectTypeOf<Omit<SessionEventStore, 'storeEvent'>>().not.toExtend<EventStoreV2>()
  })
})

describe('EventBus', () => {
  it('is the event bus of SDK v2, with its events', () => {
    expectTypeOf<EventBus>().toExtend<ServerEventBus>()
    expectTypeOf<SdkEvent>().toExtend<ServerEvent>()
    expectTypeOf<ServerEvent['kind']>().toEqualTypeOf<SdkEvent['kind']>()
  })
})

describe('the server option of RequestStates', () => {
  it('is the option requestState of SDK v2', () => {
    expectTypeOf<ReturnType<RequestStates['serverOption']>>().toExtend<NonNullable<ServerOptions['requestState']>>()
  })
})
