// graphql-ws and graphql-sse: updates as they come, errors, coming back; and clients that only list text/event-stream.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient as overSse } from 'graphql-sse'
import { createClient as overWebSocket } from 'graphql-ws'
import WebSocket from 'ws'
import { URL_OF_GRAPH } from '../lib/gateway.mjs'

const BUCKETS = 'subscription($after: String) { metricsUpdated(after: $after) { cursor buckets { start metrics { sessions } } } }'
const CLIENTS = {
  'graphql-ws': () => overWebSocket({ url: URL_OF_GRAPH.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 }),
  'graphql-sse': () => overSse({ url: URL_OF_GRAPH, retryAttempts: 0 }),
}

/** Somebody asks for a stream, now. */
async function happened() {
  const at = Date.now()
  const ids = { stream_id: `live-${at}`, request_id: `live-${at}`, timestamp: at }
  const data = { type: 'gateway_receive_stream_request', ...ids }
  const event = { id: `live-${at}`, type: 'stream_trace', timestamp: String(at), gateway: '', data }
  const answer = await fetch(URL_OF_GRAPH.replace('/graphql', '/v1/events'), { method: 'POST', body: JSON.stringify(event) })
  assert.equal((await answer.json()).accepted, 1)
}

for (const [name, connect] of Object.entries(CLIENTS)) {
  test(`${name}: what there is comes at once, a change within two seconds, and a cursor goes on from there`, async () => {
    const client = connect()
    const updates = client.iterate({ query: BUCKETS })
    const first = (await updates.next()).value
    assert.equal(first.errors, undefined)
    assert.ok(first.data.metricsUpdated.buckets.length > 0)

    const began = Date.now()
    await happened()
    const second = (await updates.next()).value
    assert.equal(second.errors, undefined)
    assert.equal(second.data.metricsUpdated.buckets.length, 1)
    // Twice as long as promised: other tests run beside this one.
    assert.ok(Date.now() - began < 4000)
    await updates.return()

    const again = client.iterate({ query: BUCKETS, variables: { after: first.data.metricsUpdated.cursor } })
    const missed = (await again.next()).value
    assert.deepEqual(missed.data.metricsUpdated.buckets, second.data.metricsUpdated.buckets)
    await again.return()
    client.dispose()
  })

  test(`${name}: what is private is refused with a code`, async () => {
    const client = connect()
    const query = `subscription { incidents(orchestrator: "0x${'00'.repeat(20)}") { cursor } }`
    let errors
    try {
      errors = (await client.iterate({ query }).next()).value.errors
    } catch (thrown) {
      errors = thrown // as graphql-ws tells it
    }
    assert.equal(errors[0].extensions.code, 'UNAUTHENTICATED')
    client.dispose()
  })
}

test('graphql-sse asks queries too', async () => {
  const { value } = await CLIENTS['graphql-sse']().iterate({ query: '{ metricCatalogue { name } }' }).next()

  assert.ok(value.data.metricCatalogue.length > 5)
})

test('a client that only lists text/event-stream gets JSON for a query', async () => {
  for (const accept of [
    'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    'text/event-stream, application/json',
  ]) {
    const headers = { accept, 'content-type': 'application/json' }
    const answer = await fetch(URL_OF_GRAPH, { method: 'POST', headers, body: '{"query":"{ __typename }"}' })
    assert.match(answer.headers.get('content-type'), /json/)
    assert.equal((await answer.json()).data.__typename, 'Query')
  }
})

test('the older protocol is refused with its code', async () => {
  const socket = new WebSocket(URL_OF_GRAPH.replace('http', 'ws'), 'graphql-ws')
  const code = await new Promise((closed) => socket.on('close', closed))

  assert.equal(code, 4406)
})
