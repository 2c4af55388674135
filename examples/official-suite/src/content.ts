/** What tools and prompts of both SDK majors answer with. */
export type Content =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string }
  | { readonly type: 'resource'; readonly resource: { readonly uri: string; readonly mimeType: string; readonly text: string } }

export function text(words: string): Content {
  return { type: 'text', text: words }
}

export function embedded(uri: string, mimeType: string, words: string): Content {
  return { type: 'resource', resource: { uri, mimeType, text: words } }
}
