// urql: its document cache, its normalised cache, its persisted queries.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheExchange, Client, fetchExchange, gql } from '@urql/core'
import { cacheExchange as normalised } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import { persistedExchange } from '@urql/exchange-persisted'
import { buildSchema, introspectionFromSchema } from 'graphql'
import { EXPORTED, recorded, URL_OF_GRAPH } from '../lib/gateway.mjs'

const PAGE = gql`query Page($first: Int, $after: String) { orchestrators(first: $first, after: $after) {
  edges { cursor node { id address } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`

function client(fetch, ...exchanges) {
  return new Client({ url: URL_OF_GRAPH, fetch, preferGetMethod: false, exchanges: [...exchanges, fetchExchange] })
}

test('what was asked is answered from the document cache', async () => {
  const { fetch, requests } = recorded()
  const asking = client(fetch, cacheExchange)
  for (let round = 0; round < 2; round++) {
    const { data, error } = await asking.query(PAGE, { first: 2 })
    assert.equal(error, undefined)
    assert.equal(data.orchestrators.edges.length, 2)
  }
  assert.equal(requests.length, 1)
})

test('the normalised cache knows the schema, finds a node again, and merges pages', async () => {
  const { fetch, requests } = recorded()
  const cache = normalised({
    schema: introspectionFromSchema(buildSchema(EXPORTED)),
    keys: Object.fromEntries(
      ['SlaMetrics', 'Distribution', 'PageInfo', 'OrchestratorConnection', 'OrchestratorEdge'].map((name) => [name, () => null]),
    ),
    resolvers: {
      Query: {
        orchestrators: relayPagination(),
        orchestrator: (_, { address }, cache, info) => ({ __typename: 'Orchestrator', id: globalId(address) }),
      },
    },
  })
  const globalId = (address) => Buffer.from(`Orchestrator:${address}`).toString('base64url')
  const asking = client(fetch, cache)

  const first = await asking.query(PAGE, { first: 2 })
  assert.equal(first.error, undefined)
  const { node } = first.data.orchestrators.edges[0]
  assert.equal(node.id, globalId(node.address))
  const again = await asking.query(gql`query One($a: Address!) { orchestrator(address: $a) { id address } }`, { a: node.address })
  assert.deepEqual(again.data.orchestrator.address, node.address)
  assert.equal(requests.length, 1)

  const second = await asking.query(PAGE, { first: 2, after: first.data.orchestrators.pageInfo.endCursor })
  assert.equal(second.error, undefined)
  assert.equal(second.data.orchestrators.edges.length, 4)
})

test('a document is named by its hash, shown once, and named alone from then on', async () => {
  const { fetch, requests } = recorded()
  const asking = client(fetch, persistedExchange({ preferGetForPersistedQueries: true }))
  const query = gql(`query ShownToo${Date.now()} { metricCatalogue { name } }`)

  for (let round = 0; round < 2; round++) {
    const { data, error } = await asking.query(query, {}, { requestPolicy: 'network-only' })
    assert.equal(error, undefined)
    assert.ok(data.metricCatalogue.length > 5)
  }
  assert.deepEqual(requests.map(({ body }) => Boolean(body.query)), [false, true, false])
})

test('an error of a field comes beside the data', async () => {
  const { data, error } = await client(fetch).query(gql`query Broken { network { metrics(window: { last: "PT0S" }) { sessions } } }`, {})

  assert.equal(data.network.metrics, null)
  assert.equal(error.graphQLErrors[0].extensions.argument, 'window.last')
  assert.equal(error.networkError, undefined)
})
