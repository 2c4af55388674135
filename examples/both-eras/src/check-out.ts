import type { EventBus, RequestStates } from '@mcp-session/http'
import {
  acceptedContent,
  type CallToolResult,
  type InputRequiredResult,
  inputRequired,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type Cart, type Items, textOfItems } from './cart.ts'
import type { Orders } from './orders.ts'

export interface CheckOutOptions {
  /** What the buyer says yes to, kept by the server: good once. */
  readonly states: RequestStates<Items>
  readonly orders: Orders
  readonly bus: EventBus
}

/** Who checks out which cart, in which of the two rounds. */
export interface CheckOut {
  readonly cart: Cart
  /** Names the request, so that the answer to one cart does not buy another. */
  readonly request: string
  readonly owner: string | null
  readonly mcpReq: ServerContext['mcpReq']
  /** What to say where there is no cart. */
  readonly noCart: CallToolResult
}

const answer = z.object({ buy: z.boolean() })

/**
 * Asks before it buys. A modern client comes back with the answer and the state; for a legacy one SDK v2 asks within the call. So one
 * function serves both eras.
 */
export async function checkOut(
  { states, orders, bus }: CheckOutOptions,
  { cart, request, owner, mcpReq, noCart }: CheckOut,
): Promise<CallToolResult | InputRequiredResult> {
  const state = mcpReq.requestState<string>()
  if (state === undefined) {
    const items = await cart.read()
    if (items === undefined) return noCart
    if (Object.keys(items).length === 0) return failure('The cart is empty: call add_to_cart first.')
    const requestState = await states.issue(items, { owner, request })
    const question = inputRequired.elicit({ message: `Buy ${textOfItems(items)}?`, requestedSchema: answer })
    return inputRequired({ requestState, inputRequests: { question } })
  }
  const asked = await states.redeem(state, { owner, request })
  if (asked === undefined) return failure('This question was answered already, or too late. Nothing was bought now; call check_out again.')
  if (acceptedContent(mcpReq.inputResponses, 'question', answer)?.buy !== true) return said('Nothing was bought. The cart is as it was.')
  if ((await cart.take()) === undefined) return noCart
  const count = await orders.add(asked)
  bus.publish({ kind: 'resource_updated', uri: orders.uri })
  return said(`Bought ${textOfItems(asked)}. Order number ${count}.`)
}

export function said(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] }
}

/** A tool's error, which the model reads. */
export function failure(text: string): CallToolResult {
  return { ...said(text), isError: true }
}
