import { LetheError } from '@lethe/core';
import type { HubAccess } from './access.js';

export type Library = typeof import('@huggingface/hub');

/** The hub's own library. It is loaded where the hub is asked: most runs ask nobody. */
export const library = (): Promise<Library> => import('@huggingface/hub');

/** What its functions take, whatever they ask for. */
export interface Connection {
  readonly hubUrl?: string;
  readonly accessToken?: string;
  readonly fetch: typeof fetch;
}

/** Whether the file system threw this: a network's errors lie within another. */
export const isOfFiles = (cause: unknown): cause is NodeJS.ErrnoException => cause instanceof Error && 'syscall' in cause && cause.cause === undefined;

/** Whether asking again may help: the connection broke. */
export const isPassing = ({ HubApiError }: Library, cause: unknown): boolean => !(cause instanceof HubApiError || isOfFiles(cause));

/**
 * What is wrong with the network or the disk, as one clear error.
 *
 * @param place what was asked, and the variable that names a mirror of it
 */
export function transportError([place, mirror]: readonly [place: string, mirror: string], where: string, cause: unknown): LetheError {
  if (isOfFiles(cause)) {
    return new LetheError('LETHE_HUB_STORE', `what ${place} gives cannot be stored: ${cause.message}`, { where, cause, remedy: 'make room, or choose another place that you may write to' });
  }
  const reason = cause instanceof Error ? [cause.message, cause.cause instanceof Error ? cause.cause.message : ''].filter(Boolean).join(': ') : String(cause);
  return new LetheError('LETHE_HUB_UNREACHABLE', `${place} cannot be reached: ${reason}`, {
    where, cause, remedy: `try again with a network, set ${mirror} to a mirror, or put the file there by hand`,
  });
}

/** What is wrong with the hub, the file or the disk, as one clear error. */
function explained({ HubApiError }: Library, where: string, cause: unknown): LetheError {
  if (cause instanceof LetheError) return cause;
  if (cause instanceof HubApiError) {
    const [reason, remedy] = [401, 403].includes(cause.statusCode)
      ? ['there is no such repository, or it asks for a token that may read it', 'check its name, accept its terms on its page, and set HF_TOKEN']
      : cause.statusCode === 404 ? ['there is no such repository, revision or file', 'check repository, revision and path']
        : [`it answers with status ${cause.statusCode}`, 'try again later'];
    return new LetheError('LETHE_HUB_FILE', `the hub does not give it out: ${reason}`, { where, cause, remedy });
  }
  return transportError(['the hub', 'HF_ENDPOINT'], where, cause);
}

/**
 * Asks the hub.
 *
 * @param name what is asked for, for messages
 * @throws LetheError LETHE_HUB_UNREACHABLE without a network or where nobody is to be asked, LETHE_HUB_FILE for what is not there or
 * closed, LETHE_HUB_STORE where the disk does not take it; the caller's own abort is passed on as it is
 */
export async function askHub<T>(
  name: string, { url, token, offline }: HubAccess, signal: AbortSignal | undefined, ask: (hub: Library, connection: Connection) => Promise<T>,
): Promise<T> {
  if (offline) {
    throw new LetheError('LETHE_HUB_UNREACHABLE', 'the hub is not to be asked (HF_HUB_OFFLINE)', { where: name, remedy: 'put the file there by hand, or unset HF_HUB_OFFLINE' });
  }
  const hub = await library();
  try {
    return await ask(hub, {
      ...(url ? { hubUrl: url } : {}), ...(token ? { accessToken: token } : {}),
      fetch: ((input, init) => fetch(input, { ...init, ...(signal && { signal }) })) as typeof fetch,
    });
  } catch (cause) {
    throw signal?.aborted ? cause : explained(hub, `${url ?? hub.HUB_URL}/${name}`, cause);
  }
}
