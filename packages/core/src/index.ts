export { type Adapter, type LowRankUpdate, sumAdapters } from './adapter.js';
export { type NdArray, type Arrays, sizeOf, zeros, clone, bytesOf, product, transposed, columns, columnOf, columnMoments, beside, below } from './arrays.js';
export { Asked } from './asked.js';
export { canonicalJson, grouped, sha256 } from './canonical.js';
export {
  type MadeOfGradients, arraysOfStep, checkArrays, checkDelta, checkGates, checkKept, checkLearner, checkPenalty, checkPrefix, checkPrompt, checkState, jsonFault,
  madeOfGradients, rowChoice,
} from './contract.js';
export { declaredOptions } from './declared.js';
export { type Document, readDocument } from './document.js';
export { ERROR_CATALOGUE, type ErrorCode, type ErrorDetails, LetheError, didYouMean } from './errors.js';
export { type SchemaFault, escaped, schemaFault, valueWords } from './fault.js';
export { fileError } from './file-error.js';
export { type Frame, frameWithin, framesOf, lineOf } from './frame.js';
export type { EventListener, RunEvent } from './events.js';
export { type SiteInput, siteInputs } from './inputs.js';
export { type Capabilities, type Manifest, PLUGIN_KINDS, type PluginKind, RATE, type SearchRange, capabilitiesOf, readManifest } from './manifest.js';
export { loadExport, loadMethod, loadScorer } from './load.js';
export type { GradientRequest, MethodHost, WritingRequest, Written } from './method-host.js';
export type {
  Gates, Learner, LearnerState, Method, Predictions, Row, Scope, Site, StepGradients, TaskView, Tensors,
} from './method.js';
export { bytesOfState } from './state.js';
export { type HubReference, budgetWords, departureWords, departuresOf, deviceWords, isPath, marksOf, parseHubReference, quoted, suiteLabel } from './names.js';
export { methodName, unlabelled } from './label.js';
export { printable } from './printable.js';
export { type Random, createRandom, randomOfTexts } from './random.js';
export { type KeptRows, divideBudget, withKept } from './rehearsal.js';
export { type ReportAxis, type ReportTable, MISSING, cellText, reportFault } from './report.js';
export type {
  CompletedRun, Cost, Environment, FailedRun, Matrix, Metrics, OptionPredictions, Results, Run, RunIdentity, TaskPredictions, TextPredictions,
} from './results.js';
export type { Scorer } from './scorer.js';
export { BUDGET_LEFT_OUT, type BudgetChange, type Example, type Order, type Split, type SuiteData, type SuiteTerms, type TaskData, type TrainingBudget, type WrittenAnswers } from './suite.js';
export { withMarked } from './marked.js';
export { makeFolder } from './make-folder.js';
export { PLUGIN_KEYWORD, type PluginPlace, isFolder, nodeModulesFrom, pluginIn, pluginPackages, pluginsIn } from './places.js';
export {
  type BrokenPlugin, type FoundPlugins, type Plugin, brokenName, discoverPlugins, findPlugin, refuseBroken, resolveOptions,
} from './registry.js';
export { extendBasis, leadingDirections, secondMoment, whitening } from './subspace.js';
export type { Sweep, Trial, TunedMethod } from './sweep.js';
export { LETHE_VERSION, outdatedAmong } from './version.js';
export { unfinished, writeWhole } from './write-whole.js';
