// GraphQL over HTTP, by the audits of npm's graphql-http: every one of them, the optional ones too.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverAudits } from 'graphql-http'
import { URL_OF_GRAPH } from '../lib/gateway.mjs'

const audits = serverAudits({ url: URL_OF_GRAPH })

test('there are as many audits as we know of', () => assert.equal(audits.length, 61))

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const { status, reason } = await audit.fn()
    assert.equal(status, 'ok', reason)
  })
}
