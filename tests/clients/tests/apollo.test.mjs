// Apollo Client: its normalised cache, its persisted queries, its batches.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { BatchHttpLink } from '@apollo/client/link/batch-http'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { relayStylePagination } from '@apollo/client/utilities'
import { recorded, URL_OF_GRAPH } from '../lib/gateway.mjs'

const PAGE = gql`query Page($first: Int, $after: String) { orchestrators(first: $first, after: $after) {
  edges { cursor node { id address serviceUris } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`
const ONE = gql`query One($id: ID!) { node(id: $id) { id ... on Orchestrator { address nodeVersion } } }`

const sha256 = (text) => createHash('sha256').update(text).digest('hex')
const client = (link, cache = new InMemoryCache()) => new ApolloClient({ link, cache })

test('one orchestrator is one entry of the cache, wherever it was met, and pages are merged', async () => {
  const { fetch } = recorded()
  const cache = new InMemoryCache({ typePolicies: { Query: { fields: { orchestrators: relayStylePagination() } } } })
  const asking = client(new HttpLink({ uri: URL_OF_GRAPH, fetch }), cache)

  const { data } = await asking.query({ query: PAGE, variables: { first: 2 } })
  const [{ node }] = data.orchestrators.edges
  await asking.query({ query: ONE, variables: { id: node.id } })
  const kept = cache.extract()[`Orchestrator:${node.id}`]
  assert.deepEqual(Object.keys(kept).sort(), ['__typename', 'address', 'id', 'nodeVersion', 'serviceUris'])

  const variables = { first: 2, after: data.orchestrators.pageInfo.endCursor }
  await asking.query({ query: PAGE, variables, fetchPolicy: 'network-only' })
  const merged = cache.readQuery({ query: PAGE })
  assert.equal(new Set(merged.orchestrators.edges.map((edge) => edge.node.id)).size, 4)
})

test('a document is named by its hash, shown once, and named alone from then on', async () => {
  const { fetch, requests } = recorded()
  const link = new PersistedQueryLink({ sha256, useGETForHashedQueries: true })
  const asking = client(ApolloLink.from([link, new HttpLink({ uri: URL_OF_GRAPH, fetch })]))
  // Never shown to this gateway before.
  const query = gql(`query Shown${Date.now()} { metricCatalogue { name unit } }`)

  for (let round = 0; round < 2; round++) {
    const { data } = await asking.query({ query, fetchPolicy: 'network-only' })
    assert.ok(data.metricCatalogue.length > 5)
  }
  assert.deepEqual(requests.map(({ method, body }) => `${method} ${'query' in body ? 'text' : 'hash'}`), [
    'GET hash',
    'POST text',
    'GET hash',
  ])
})

test('what is asked in one moment is one request', async () => {
  const { fetch, requests } = recorded()
  const asking = client(new BatchHttpLink({ uri: URL_OF_GRAPH, fetch, batchInterval: 5 }))
  const [page, regions, broken] = await Promise.all([
    asking.query({ query: PAGE, variables: { first: 1 } }),
    asking.query({ query: gql`query Regions { regions { id name } }` }),
    asking.query({ query: gql`query Broken { network { metrics(window: { last: "PT0S" }) { sessions } } }`, errorPolicy: 'all' }),
  ])

  assert.equal(requests.length, 1)
  assert.equal(requests[0].body.length, 3)
  assert.equal(page.data.orchestrators.edges.length, 1)
  assert.ok(regions.data.regions.length > 0)
  assert.equal(broken.data.network.metrics, null)
  assert.equal(broken.error.errors[0].extensions.code, 'BAD_REQUEST')
})

test('an error of the document is one of GraphQL, not of the network', async () => {
  const asking = client(new HttpLink({ uri: URL_OF_GRAPH }))
  const failed = await asking.query({ query: gql`query Wrong { nothing }` }).then(assert.fail, (error) => error)

  assert.ok(CombinedGraphQLErrors.is(failed), String(failed))
  assert.equal(failed.errors[0].extensions.code, 'BAD_REQUEST')
})
