// graphql-eslint over the exported schema, and over documents that an application would have.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { ESLint } from 'eslint'
import { EXPORTED, HERE } from '../lib/gateway.mjs'

// Names of natural keys that clients are promised, beside `id`; their rule has no options.
const PROMISED = ['Gateway.gatewayId', 'Gpu.gpuId', 'Stream.streamId']

let eslint

before(() => {
  mkdirSync(`${HERE}generated`, { recursive: true })
  writeFileSync(`${HERE}generated/schema.graphql`, EXPORTED) // ESLint reads nothing above its own directory
  eslint = new ESLint({ cwd: HERE })
})

function isPromised({ ruleId, message }) {
  const [, field, type] = message.match(/^Field "(\w+)" starts with the name of the parent type "(\w+)"$/) ?? []
  return ruleId === '@graphql-eslint/no-typename-prefix' && PROMISED.includes(`${type}.${field}`)
}

for (const files of ['generated/schema.graphql', 'documents/*.graphql']) {
  test(`${files} keeps every recommended rule`, async () => {
    const found = await eslint.lintFiles([files])
    assert.ok(found.length > 0)
    const messages = found.flatMap((file) => file.messages).filter((message) => !isPromised(message))
    assert.deepEqual(messages.map(({ line, ruleId, message }) => `${line} ${ruleId} ${message}`), [])
  })
}
