// graphql-eslint's recommended and Relay rules, all of them, over the schema and over documents of an application.
import graphql from '@graphql-eslint/eslint-plugin'
import { readFileSync } from 'node:fs'
import { Kind, parse } from 'graphql'

const schema = '../../schema.graphql'
const types = parse(readFileSync(new URL(schema, import.meta.url), 'utf8')).definitions
const isNode = (type) => type.interfaces?.some(({ name }) => name.value === 'Node')
// Numbers, pages and windows are values: they have no identity, and so no `id`.
const values = types.filter((type) => type.kind === Kind.OBJECT_TYPE_DEFINITION && !isNode(type)).map(({ name }) => name.value)
// The federation's own names, such as `_entities` and `link__Import`, are not ours to choose.
const theirs = { ignorePattern: '^_|^link__|^federation__' }

const rules = (...names) => Object.assign({}, ...names.map((name) => graphql.configs[name].rules))
const recommended = rules('flat/schema-recommended', 'flat/schema-relay')
const [severity, naming] = recommended['@graphql-eslint/naming-convention']

const of = (files, rules) => ({
  files: [files],
  languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema, documents: 'documents/*.graphql' } } },
  plugins: { '@graphql-eslint': graphql },
  rules,
})

export default [
  of('generated/schema.graphql', {
    ...recommended,
    '@graphql-eslint/naming-convention': [
      severity,
      {
        ...naming,
        allowLeadingUnderscore: true,
        types: { style: naming.types, ...theirs },
        FieldDefinition: { style: naming.FieldDefinition, ...theirs },
      },
    ],
    '@graphql-eslint/strict-id-in-types': ['error', { exceptions: { types: values } }],
    // Else no type could have a list of anything, not even of texts beside its edges.
    '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
  }),
  of('documents/*.graphql', rules('flat/operations-recommended')),
]
