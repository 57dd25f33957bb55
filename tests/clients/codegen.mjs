// What an application in TypeScript would say to graphql-codegen.
export default {
  schema: '../../schema.graphql',
  documents: 'documents/*.graphql',
  generates: {
    'generated/codegen/': {
      preset: 'client',
      presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' }, fragmentMasking: { unmaskFunctionName: 'readFragment' } },
      config: {
        strictScalars: true,
        scalars: { Address: 'string', DateTime: 'string', Decimal: 'string', Duration: 'string', Wei: 'string',
          _Any: 'unknown', federation__FieldSet: 'string', link__Import: 'unknown' },
      },
    },
  },
}
