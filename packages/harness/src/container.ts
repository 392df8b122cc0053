import 'reflect-metadata';
import type { SuiteData } from '@lethe/core';
import { LetheError, canonicalJson, loadMethod } from '@lethe/core';
import { type SuiteReference, loadSuite } from '@lethe/data';
import { type Device, openDevice } from '@lethe/engine';
import { type LanguageModel, type OpenOptions, openModel } from '@lethe/model';
import { type DependencyContainer, type InjectionToken, container, inject, injectable } from 'tsyringe';
import { changedCode, codeSha256 } from './code.js';
import type { Job } from './job.js';
import type { StreamDependencies } from './protocol.js';

/** Things of one kind that are opened once, at their first use, however many runs ask for them. */
class Shared<Request, Thing> {
  private readonly opened = new Map<string, Promise<Thing>>();

  constructor(private readonly open: (request: Request) => Promise<Thing>) {}

  get(request: Request): Promise<Thing> {
    const key = canonicalJson(request);
    const known = this.opened.get(key);
    if (known) return known;
    const thing = this.open(request);
    this.opened.set(key, thing);
    // what could not be opened is tried again by the next run that asks
    thing.catch(() => this.opened.delete(key));
    return thing;
  }
}

interface DeviceRequest {
  readonly name: string;
  readonly threads: number;
}

interface ModelRequest extends OpenOptions {
  readonly dir: string;
}

const DEVICES: InjectionToken<Shared<DeviceRequest, Device>> = Symbol('devices');
const MODELS: InjectionToken<Shared<ModelRequest, LanguageModel>> = Symbol('models');
const SUITES: InjectionToken<Shared<SuiteReference, SuiteData>> = Symbol('suites');
const JOB: InjectionToken<Job> = Symbol('job');

/** Rebuilds what one job names. */
@injectable()
class Composition {
  constructor(
    @inject(JOB) private readonly job: Job,
    @inject(DEVICES) private readonly devices: Shared<DeviceRequest, Device>,
    @inject(MODELS) private readonly models: Shared<ModelRequest, LanguageModel>,
    @inject(SUITES) private readonly suites: Shared<SuiteReference, SuiteData>,
  ) {}

  async dependencies(): Promise<StreamDependencies> {
    const { device: name, threads, modelDir: dir, adapterDir: adapter, suite: reference, codePath, code, identity } = this.job;
    const model = await this.models.get({ dir, ...(adapter === undefined ? {} : { adapter }), ...(identity.model.chat && { chat: true }) });
    const [suite, method] = [await this.suites.get(reference), await loadMethod(codePath)];
    if (model.sha256 !== identity.model.sha256) {
      throw new LetheError('LETHE_RUN_CHANGED', `The model is no longer the one that the run was made for (${identity.model.sha256}).`, {
        where: dir, remedy: 'Put that model back, or start a new run.',
      });
    }
    if (code !== undefined && await codeSha256(codePath) !== code) throw changedCode(identity.method.id, codePath);
    return { device: await this.devices.get({ name, threads }), model, suite, method };
  }
}

/** The container of a process: the runs that are composed in it share devices, models and suites. */
export function createContainer(): DependencyContainer {
  const root = container.createChildContainer();
  root.register(DEVICES, { useValue: new Shared(openDevice) });
  root.register(MODELS, { useValue: new Shared(({ dir, ...how }: ModelRequest) => openModel(dir, how)) });
  root.register(SUITES, { useValue: new Shared(loadSuite) });
  return root;
}

/**
 * What a job names, rebuilt in a child container of `root` of its own.
 *
 * @throws LetheError the errors of openModel, loadSuite, openDevice and {@link loadMethod}; LETHE_RUN_CHANGED for another model
 */
export async function composeRun(root: DependencyContainer, job: Job): Promise<StreamDependencies> {
  const child = root.createChildContainer();
  child.register(JOB, { useValue: job });
  return child.resolve(Composition).dependencies();
}
