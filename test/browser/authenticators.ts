import type { CDPSession, Page } from 'playwright-core'

/** How a passkey's keeper is reached, and whether its passkeys are synced between devices. */
export type AuthenticatorOptions = Readonly<{
  /** `internal`: part of this device; `cable`: a phone nearby, by QR code (hybrid). */
  transport?: 'internal' | 'cable' | 'usb'
  synced?: boolean
  /** Whether its user passes face, fingerprint or PIN. */
  isUserVerified?: boolean
}>

/** An authenticator of the browser's own test interface (the WebAuthn domain of its protocol). */
export interface VirtualAuthenticator {
  readonly cdp: CDPSession
  readonly id: string
  /** Whether face, fingerprint or PIN will be accepted from now on. */
  verifies(accepted: boolean): Promise<void>
  /** Whether its user is there to be asked: who is not leaves the browser waiting. */
  isThere(present: boolean): Promise<void>
  /** The credential IDs it holds, base64. */
  credentialIds(): Promise<readonly string[]>
}

/** The test interface with no authenticator in it: whatever the page asks for, nothing answers. */
export const noAuthenticator = async (page: Page): Promise<CDPSession> => {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable', { enableUI: false })
  return cdp
}

/** For this page and what it leads to, until the page is closed; a page may have several. */
export const anAuthenticator = async (
  page: Page,
  options: AuthenticatorOptions = {},
): Promise<VirtualAuthenticator> => {
  const { transport = 'internal', synced = false, isUserVerified = true } = options
  const cdp = await noAuthenticator(page)
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport,
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: synced,
      defaultBackupState: synced,
    },
  })
  return {
    cdp,
    id: authenticatorId,
    async verifies(accepted) {
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: accepted })
    },
    async isThere(enabled) {
      await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled })
    },
    async credentialIds() {
      const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId })
      return credentials.map(({ credentialId }) => credentialId)
    },
  }
}
