/** How the hub is reached. */
export interface HubAccess {
  /** Its address, where it is not the public one; without a slash at its end. */
  readonly url?: string;
  readonly token?: string;
  /** Ask nobody. */
  readonly offline?: boolean;
}

/** What the environment says of the hub: HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE, as for the hub's own libraries. */
export function hubAccess(variables: NodeJS.ProcessEnv = process.env): HubAccess {
  const { HF_ENDPOINT: url, HF_TOKEN: token, HF_HUB_OFFLINE: offline = '' } = variables;
  return {
    ...(url ? { url: url.replace(/\/+$/, '') } : {}),
    ...(token ? { token } : {}),
    offline: ['1', 'ON', 'YES', 'TRUE'].includes(offline.toUpperCase()),
  };
}
