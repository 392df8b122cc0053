import * as ort from 'onnxruntime-node';
import { keyOf } from './graph/builder.js';
import { type Graph, type Initializer, isHeld } from './graph/types.js';
import { workspaceOf } from './graph/workspace.js';
import { type OnnxModel, serialise } from './onnx.js';
import { openSession } from './session.js';
import type { ProgramDefinition } from './types.js';

/** What sessions that nobody uses may hold together in constants; packed copies and arenas come on top. */
const IDLE_BYTES = 128 * 2 ** 20;
/** What any session takes, however small its constants: streams of growing graphs would keep hundreds of them otherwise. */
const SESSION_BYTES = 4 * 2 ** 20;

/** Programs whose runs need less than this gain little from an arena, and there are many of them: one for every shape that is scored. */
const ARENA_BYTES = 32 * 2 ** 20;
/** What the arenas of a device hold together; a single one may hold more. With one for every shape that is trained on they add up. */
const ARENAS_BYTES = 128 * 2 ** 20;

/**
 * Whether a session is to hold the memory of a run for the next one, in an arena: to ask the system for it anew, page by page, takes a
 * fifth of a training step.
 *
 * @param workspace bytes that a run needs
 * @param held bytes in the arenas of the other sessions
 */
export const takesArena = (workspace: number, held: number): boolean =>
  workspace >= ARENA_BYTES && (held === 0 || held + workspace <= ARENAS_BYTES);

interface Entry {
  readonly id: string;
  readonly session: Promise<ort.InferenceSession>;
  /** Constants that each run is given. */
  readonly given: Readonly<Record<string, ort.Tensor>>;
  /** Of constants, but no less than {@link SESSION_BYTES}. */
  readonly bytes: number;
  /** What a run needs, where the session has an arena; else 0. */
  readonly arenaBytes: number;
  users: number;
}

/** Constants that a model is given, where they are: the runtime reads them there. */
const tensorsOf = ({ given }: OnnxModel): Record<string, ort.Tensor> =>
  Object.fromEntries(Object.entries(given).map(([name, { data, shape }]) => [name, new ort.Tensor('float32', data as Float32Array, shape)]));

/** A session lent to one program, to be given back once. */
export interface Lease {
  readonly session: ort.InferenceSession;
  /** What every run of the session is to be given besides the inputs of the program. */
  readonly given: Readonly<Record<string, ort.Tensor>>;
  release(): Promise<void>;
}

/**
 * The sessions of a device. Programs with equal graphs over the same constants share one; what the last of them gives back is
 * kept for the next (the steps of a stream ask for the same programs again), the longest unused going first.
 */
export class Sessions {
  /** The longest unused first. */
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly device: string,
    private readonly threads: number,
  ) {}

  /** Throws the errors of {@link openSession}. */
  async lease(graph: Graph, { name, inputs }: ProgramDefinition): Promise<Lease> {
    const id = JSON.stringify([keyOf(graph), inputs]);
    let entry = this.entries.get(id);
    if (!entry) {
      const workspace = workspaceOf(graph);
      const arena = takesArena(workspace, [...this.entries.values()].reduce((sum, other) => sum + other.arenaBytes, 0));
      const model = serialise(graph, inputs, this.device !== 'cpu');
      const session = openSession(model, { device: this.device, threads: this.threads, program: name, arena });
      // mapped constants count too: what a session of a large model keeps of them is nothing, but its activations are large
      const bytesOf = (constant: Initializer) => (isHeld(constant) ? constant.data.byteLength : constant.stored.length);
      const bytes = [...graph.initializers.values()].reduce((sum, constant) => sum + bytesOf(constant), 0);
      this.entries.set(id, (entry = { id, session, given: tensorsOf(model), bytes: Math.max(bytes, SESSION_BYTES), arenaBytes: arena ? workspace : 0, users: 0 }));
    }
    const lent = entry;
    lent.users++;
    let session: ort.InferenceSession;
    try {
      session = await lent.session;
    } catch (error) {
      if (this.entries.get(id) === lent) this.entries.delete(id);
      throw error;
    }
    let open = true;
    return {
      session,
      given: lent.given,
      release: async () => {
        if (!open) return;
        open = false;
        if (--lent.users === 0 && this.entries.get(id) === lent) await this.idle(lent);
      },
    };
  }

  private async idle(entry: Entry): Promise<void> {
    this.entries.delete(entry.id);
    this.entries.set(entry.id, entry);
    const unused = [...this.entries.values()].filter(({ users }) => users === 0);
    let bytes = unused.reduce((sum, each) => sum + each.bytes, 0);
    // all are chosen before the first one is waited for: meanwhile others are lent and given back
    const victims = unused.filter((each) => {
      if (bytes <= IDLE_BYTES) return false;
      bytes -= each.bytes;
      return this.entries.delete(each.id);
    });
    for (const { session } of victims) await (await session).release();
  }

  async dispose(): Promise<void> {
    const all = [...this.entries.values()];
    this.entries.clear();
    for (const { session } of all) await (await session).release();
  }
}
