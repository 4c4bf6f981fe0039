/** Where the rules stand; a section is the short name, a space and the section's number. */
export const SPECIFICATIONS = {
  'OIDC Core': 'https://openid.net/specs/openid-connect-core-1_0.html',
  'OIDC Discovery': 'https://openid.net/specs/openid-connect-discovery-1_0.html',
  'OIDC Registration': 'https://openid.net/specs/openid-connect-registration-1_0.html',
  'RP-Initiated Logout': 'https://openid.net/specs/openid-connect-rpinitiated-1_0.html',
  'Back-Channel Logout': 'https://openid.net/specs/openid-connect-backchannel-1_0.html',
  'Form Post': 'https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html',
  'RFC 6265': 'https://www.rfc-editor.org/rfc/rfc6265',
  'RFC 6749': 'https://www.rfc-editor.org/rfc/rfc6749',
  'RFC 6750': 'https://www.rfc-editor.org/rfc/rfc6750',
  'RFC 7517': 'https://www.rfc-editor.org/rfc/rfc7517',
  'RFC 7591': 'https://www.rfc-editor.org/rfc/rfc7591',
  'RFC 7592': 'https://www.rfc-editor.org/rfc/rfc7592',
  'RFC 7636': 'https://www.rfc-editor.org/rfc/rfc7636',
  'RFC 8176': 'https://www.rfc-editor.org/rfc/rfc8176',
  'RFC 8252': 'https://www.rfc-editor.org/rfc/rfc8252',
  'RFC 8414': 'https://www.rfc-editor.org/rfc/rfc8414',
  'RFC 8725': 'https://www.rfc-editor.org/rfc/rfc8725',
  'RFC 9110': 'https://www.rfc-editor.org/rfc/rfc9110',
  'RFC 9207': 'https://www.rfc-editor.org/rfc/rfc9207',
  'RFC 9700': 'https://www.rfc-editor.org/rfc/rfc9700',
  /** Rules of this product for its members; they stand in docs/conformance.md. */
  'Member rules': '',
} as const satisfies Record<string, string>

export type Specification = keyof typeof SPECIFICATIONS
export type Section = `${Specification} ${string}`

/** The specification's address, at the section where its document has an anchor for each. */
export const linkTo = (section: Section): string => {
  const name = Object.keys(SPECIFICATIONS).find((one) => section.startsWith(`${one} `))
  const base = name === undefined ? '' : SPECIFICATIONS[name as Specification]
  const number = section.slice((name?.length ?? 0) + 1)
  return base.includes('rfc-editor') ? `${base}#section-${number}` : base
}
