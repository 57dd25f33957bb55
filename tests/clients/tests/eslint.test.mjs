// graphql-eslint over the exported schema, and over documents that an application would have.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { ESLint } from 'eslint'
import { EXPORTED, HERE } from '../lib/gateway.mjs'

// What the rules would have otherwise, and why it stays.
const KNOWN = [
  // The names of natural keys that clients are promised, beside `id`.
  /^Field "(gatewayId|gpuId|streamId)" starts with the name of the parent type "(Gateway|Gpu|Stream)"$/,
  // An orchestrator's own payments and incidents are read from the newest on, and are no things with an id.
  /^Field `(payments|incidents)` must contain an argument `(last|before)`/,
  /^Edge type's field `node` must implement `Node` interface\.$/,
]

let eslint

before(() => {
  mkdirSync(`${HERE}generated`, { recursive: true })
  writeFileSync(`${HERE}generated/schema.graphql`, EXPORTED) // ESLint reads nothing above its own directory
  eslint = new ESLint({ cwd: HERE })
})

for (const files of ['generated/schema.graphql', 'documents/*.graphql']) {
  test(`${files} keeps every recommended rule`, async () => {
    const found = await eslint.lintFiles([files])
    assert.ok(found.length > 0)
    const messages = found.flatMap((file) => file.messages)
    const unknown = messages.filter(({ message }) => !KNOWN.some((known) => known.test(message)))
    assert.deepEqual(unknown.map(({ line, ruleId, message }) => `${line} ${ruleId} ${message}`), [])
  })
}
