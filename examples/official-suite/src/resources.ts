import { redPixel } from './media.ts'

/** A resource, for both SDK majors. */
export interface Resource {
  readonly name: string
  readonly uri: string
  readonly description: string
  readonly mimeType: string
  readonly read: (subscriptions: Subscriptions) => { readonly text: string } | { readonly blob: string }
}

/** URIs that the session is subscribed to. */
export type Subscriptions = Set<string>

const watched = 'test://watched-resource'

/** The URIs and contents are the suite's. */
export const resources: readonly Resource[] = [
  {
    name: 'static-text',
    uri: 'test://static-text',
    description: 'A text that never changes',
    mimeType: 'text/plain',
    read: () => ({ text: 'This is the content of the static text resource.' }),
  },
  {
    name: 'static-binary',
    uri: 'test://static-binary',
    description: 'An image that never changes',
    mimeType: 'image/png',
    read: () => ({ blob: redPixel }),
  },
  {
    name: 'watched-resource',
    uri: watched,
    description: 'A text that says whether this session is subscribed to it',
    mimeType: 'text/plain',
    read: (subscriptions) => ({ text: subscriptions.has(watched) ? 'Watched by this session.' : 'Not watched by this session.' }),
  },
]

export interface Template {
  readonly name: string
  readonly uriTemplate: string
  readonly description: string
  readonly mimeType: string
  readonly read: (id: string) => { readonly text: string }
}

export const template: Template = {
  name: 'template',
  uriTemplate: 'test://template/{id}/data',
  description: 'A text for every id',
  mimeType: 'application/json',
  read: (id) => ({ text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }),
}
