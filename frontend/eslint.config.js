import hooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

/** Imports go lib, api → ui → features → app: `folder` may not reach for what stands right of it. */
const direction = (folder, forbidden) => ({
  files: [`src/${folder}/**/*.{ts,tsx}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: forbidden.map((name) => ({
          group: [`@/${name}`, `@/${name}/*`, `**/../${name}/*`],
          message: `src/${folder} may not import from ${name}`,
        })),
      },
    ],
  },
})

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.ts', 'e2e/shots'] },
  ...tseslint.configs.strict,
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      'max-lines': ['error', { max: 250 }],
      'max-len': ['error', { code: 140, ignoreStrings: true, ignoreTemplateLiterals: true }],
      // A charge that went through a floating-point number is a charge that nobody can explain.
      'no-restricted-globals': ['error', 'parseFloat'],
    },
  },
  direction('lib', ['api', 'ui', 'features', 'app', '@tanstack/react-router', '@tanstack/react-query']),
  direction('api', ['ui', 'features', 'app']),
  direction('ui', ['api', 'features', 'app', 'tanstack']),
  direction('features', ['app']),
  {
    files: ['src/ui/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: ['@/api/*', '@/features/*', '@/app/*', '@tanstack/react-router', '@tanstack/react-query'] },
      ],
    },
  },
)
