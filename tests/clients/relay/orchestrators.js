// What a Relay application would write. relay-compiler reads it; the test executes what comes out.
import { graphql } from 'relay-runtime'

// A paginated fragment: its connection is appended to, page by page.
graphql`
  fragment orchestrators_page on Query
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" })
  @refetchable(queryName: "orchestratorsPageQuery") {
    orchestrators(first: $first, after: $after) @connection(key: "page_orchestrators") {
      edges {
        node {
          address
          ...orchestrators_one
        }
      }
    }
  }
`

// A refetchable fragment of something with a global id: fetched again by `node(id:)`.
graphql`
  fragment orchestrators_one on Orchestrator
  @argumentDefinitions(window: { type: "WindowInput" })
  @refetchable(queryName: "orchestratorsOneQuery") {
    id
    lastSeenAt
    metrics(window: $window) {
      sessions
      window {
        start
        end
      }
    }
  }
`

graphql`
  query orchestratorsQuery {
    ...orchestrators_page
  }
`
