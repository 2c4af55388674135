import type { ElicitRequestFormParams } from '@modelcontextprotocol/server'

/** What a user is asked to fill in; the same in both SDK majors. */
export type Form = ElicitRequestFormParams['requestedSchema']

export const contactForm: Form = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
}

/** A default of every primitive type (SEP-1034). */
export const defaultsForm: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Name', default: 'John Doe' },
    age: { type: 'integer', description: 'Age in years', default: 30 },
    score: { type: 'number', description: 'Score', default: 95.5 },
    status: { type: 'string', description: 'Status', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', description: 'Whether it was verified', default: true },
  },
}

/** Every way to offer a choice (SEP-1330). */
export const choicesForm: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', description: 'One of three', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', description: 'One of three, with titles', oneOf: titled('Option') },
    legacyEnum: {
      type: 'string',
      description: 'One of three, with titles as they were before 2025-11-25',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: {
      type: 'array',
      description: 'One to three of three',
      minItems: 1,
      maxItems: 3,
      items: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    },
    titledMulti: {
      type: 'array',
      description: 'One to three of three, with titles',
      minItems: 1,
      maxItems: 3,
      items: { anyOf: titled('Choice') },
    },
  },
}

function titled(noun: string): { const: string; title: string }[] {
  return ['First', 'Second', 'Third'].map((ordinal, index) => ({ const: `value${index + 1}`, title: `${ordinal} ${noun}` }))
}
