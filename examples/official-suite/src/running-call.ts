import type { Form } from './forms.ts'

/** What a tool can do while its call runs, whichever SDK major serves it. All of it belongs to the stream of the call. */
export interface RunningCall {
  log(message: string): Promise<void>
  /** Of 100. Does nothing where the client gave no progress token. */
  progress(done: number): Promise<void>
  /** What the client's model says. Rejects where the client has none. */
  sample(prompt: string): Promise<string>
  /** What the user does with the form. Rejects where the client shows none. */
  elicit(message: string, form: Form): Promise<{ readonly action: string; readonly content?: unknown }>
  /** Ends the HTTP response but not the call: the client has to come back for the answer. */
  closeStream(): void
}
