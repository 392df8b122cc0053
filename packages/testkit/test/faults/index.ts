import type { TestedMethod } from '../../src/index.js';
import {
  Throws, WrongShape, SwapsSides, KeepsAFactor, BeginsTooEarly, MisspellsAnOption,
  AsksForNoArray, RootOfNothing, LogarithmOfNothing, Silent, Remembers, Forgets, SharesGenerator, AsksTheClock, RollsDice, Leaks, Keeps,
  ChangesOptions, ChangesTask, FreezesNoCopy, CountsQuestions, NormalisesBatch, ReadsItself, WrongGradient,
  ReadsValues, TrainsUnread,
} from './behaviour.js';
import { AsksPrompts, DicePrompt, ForgetsPrompt, ModulePrompt, ReversesPrompt } from './context.js';
import {
  AsksTask, KeepsTokens, ChoosesRows, TakesFewerRows, WritesTooMuch, GrowsInSecret, GrowsTooFast, AddsAnAdapterEach,
  KeepsRows, KeepsScaledRows, HidesBytes, SavesMap, ReportsNothing, ReportsRagged,
} from './declared.js';
import {
  BranchesOnGradients, DividesByNone, GoesOnRunning, LeavesGradientsOut, RenamesGradients, RunsAway, RunsWhatTrains, SumsGradients, TracksNothing,
} from './gradients.js';
import { GrowingPrompts, MeanPrompt, MoreThanItSays, PromptPerAsking, SoundPrompts, TaskPrompt, ThawedPrompts } from './prompts.js';
import { GatesOfBatch, ReadsGates, ScalesTwice } from './shown.js';
import { Sound, tested } from './sound.js';
import { GrowingNoise, NoiseFromOneGenerator, NoiseThatTrains, NoisyAnswers } from './steps.js';
import { HoardsRows, MakesOfKept, WritesLongRows, WritesRows } from './written.js';

/** What methods with a prompt a task declare. */
const PROMPTS = { growth: 'linear' } as const;

/** A method that does not get through the first task: it breaks `runs`. */
export const THROWS = tested(Throws);

/** Rules, with the methods that break this rule and no other, and what must be seen in each. */
export const FAULTS: readonly (readonly [rule: string, fault: TestedMethod, seen: RegExp])[] = [
  ['capabilities', tested(AsksTask), /asked for the task of a row/],
  ['capabilities', tested(KeepsTokens), /asked for training rows to keep/],
  ['capabilities', tested(ChoosesRows), /chooses the rows of a step/],
  ['capabilities', tested(Sound, { rehearsal: true }), /declares rehearsal, but does without/],
  ['capabilities', tested(WritesRows), /chooses the rows of a step/],
  ['capabilities', tested(Sound, { pseudoRehearsal: true }), /declares pseudoRehearsal, but does without/],
  ['capabilities', tested(Sound, { taskIdentity: true, bound: true }), /declares taskIdentity, but does without/],
  ['capabilities', tested(TaskPrompt, PROMPTS), /asked for the task of a row/],
  ['runs', tested(MoreThanItSays, PROMPTS), /prefix gives \[16, 4, 8\] instead of \[16, 2, 8\]/],
  ['runs', THROWS, /no penalty today/],
  ['runs', tested(WrongShape), /adapt gives \[16, 1, 6\] at layers\.0\.q instead of \[16, 3, 6\]/],
  ['runs', tested(SwapsSides), /it throws Error: .*, at .*behaviour\.ts:\d+$/],
  ['runs', tested(KeepsAFactor), /uses a tensor that an earlier pass .*behaviour\.ts:\d+\) Make tensors inside/],
  ['runs', tested(BeginsTooEarly), /asked for host\.moments and went on without it\., at .*behaviour\.ts:\d+$/],
  ['runs', tested(MisspellsAnOption), /option "strenght" is none .*Did you mean "strength"\?, at .*behaviour\.ts:\d+$/],
  ['runs', tested(AsksForNoArray), /no array "lora\.layers\.0\.q\.a" .*Did you mean "lora\.layers\.0\.q\.A"\?, at .*behaviour\.ts:\d+$/],
  ['runs', tested(RootOfNothing), /after step 1 of stage 2 trainable array "lora\.\S+" holds a value that is not finite, because a gradient that it was moved by is not/],
  ['runs', tested(LogarithmOfNothing), /the penalty of stage 2 is not finite before step 1/],
  ['runs', tested(SumsGradients), /transformGradients gives \[\] for "lora\.layers\.0\.q\.A" instead of \[8, 4\]/],
  ['runs', tested(LeavesGradientsOut), /transformGradients gives undefined for "lora\.layers\.0\.q\.A" instead of a tensor \[8, 4\]/],
  ['runs', tested(RenamesGradients), /a value for "lora\.layers\.0\.q\.a", which is no trainable array\. Did you mean "lora\.layers\.0\.q\.A"\?/],
  ['runs', tested(DividesByNone), /after step 1 of stage 1 trainable array "lora\.\S+" holds a value that is not finite/],
  ['runs', tested(TracksNothing), /track gives undefined for "lengths" instead of a tensor \[\]/],
  ['runs', tested(RunsAway), /of stage 1: running array "lengths" holds a value that is not finite/],
  ['runs', tested(GrowingNoise), /stepArrays gives noise \[16, 1, 1\], more \[2\] in step 2, and gave noise \[16, 1, 1\], more \[1\] in an earlier one of 16 rows/],
  ['runs', tested(NoiseThatTrains), /stepArrays gives an array "lora\.layers\.0\.q\.A", and the learner has another one of that name/],
  ['runs', tested(NoisyAnswers), /it throws .*, at .*steps\.ts:\d+$/],
  ['runs', tested(TakesFewerRows, { rehearsal: true, growth: 'linear' }), /batch gives 15 rows instead of the 16/],
  ['runs', tested(MakesOfKept, { rehearsal: true, growth: 'linear' }), /a row that is neither one of the task nor among its "rows"/],
  ['runs', tested(WritesLongRows, { pseudoRehearsal: true }), /batch gives a row of 17 tokens where there is room for 16/],
  ['runs', tested(WritesTooMuch), /prompt gives 4 tokens where there is room for 2/],
  ['learns', tested(Silent), /30 steps of descent take the loss from (\S+) to \1/],
  ['same-seed', tested(Remembers), /two streams of one seed differ after stage 1/],
  ['resumes', tested(Forgets), /restored after stage 1 learns stage 2 otherwise/],
  ['resumes', tested(GoesOnRunning), /restored after stage 1 learns stage 2 otherwise/],
  ['resumes', tested(NoiseFromOneGenerator), /restored after stage 1 learns stage 2 otherwise/],
  ['resumes', tested(HoardsRows, { pseudoRehearsal: true }), /restored after stage 2 learns stage 3 otherwise/],
  ['resumes', tested(SharesGenerator), /restored after stage 1 learns stage 2 otherwise/],
  ['no-ambient', tested(AsksTheClock), /reads Date .*behaviour\.ts:\d+/],
  ['no-ambient', tested(RollsDice), /reads Math\.random .*behaviour\.ts:\d+/],
  ['no-leak', tested(Leaks), /3 tensors are left after 3 stages, by begin/],
  ['no-leak', tested(Keeps), /by a function that is traced/],
  ['inputs-untouched', tested(ChangesOptions), /begin changes options/],
  ['inputs-untouched', tested(ChangesTask), /end changes task/],
  ['frozen-stays', tested(ThawedPrompts, PROMPTS), /frozen array "snapshot" changes while stage 1 trains/],
  ['frozen-stays', tested(RunsWhatTrains), /"lora\.layers\.0\.q\.A" is among two of the trainable, the frozen and the running arrays of stage 1/],
  ['frozen-stays', tested(FreezesNoCopy), /frozen array "snapshot" changes while stage 1 trains/],
  ['task-blind', tested(PromptPerAsking, PROMPTS), /answered otherwise in another order of questions/],
  ['batch-blind', tested(MeanPrompt, PROMPTS), /row 1 of task 1 is answered .* alone and .* among rows of all tasks/],
  ['task-blind', tested(CountsQuestions), /answered otherwise in another order of questions/],
  ['batch-blind', tested(NormalisesBatch), /row 1 of task 1 is answered .* alone and .* among rows of all tasks/],
  ['gradients', tested(ReadsItself), /the slope of the penalty along "lora\.\S+" is 0 by its gradient/],
  ['gradients', tested(WrongGradient), /the slope of the task loss, through prefix and adapt/],
  ['gradients', tested(TrainsUnread), /no trainable array has a slope of the task loss.* in stage 2 is not read/],
  ['same-seed', tested(ModulePrompt), /two streams of one seed differ after stage 1: task 1: the prompt of row 1/],
  ['resumes', tested(ForgetsPrompt), /restored after stage 1 is another one at once: task 1: the prompt of row 1/],
  ['no-ambient', tested(DicePrompt), /reads Math\.random .*context\.ts:\d+.* and Date .*context\.ts:\d+/],
  ['inputs-untouched', tested(ReversesPrompt), /prompt changes rows/],
  ['task-blind', tested(AsksPrompts), /task \d is answered otherwise in another order of questions: the prompt of row 1/],
  ['batch-blind', tested(GatesOfBatch), /row 1 of task 1 has a gate open by .* alone and .* among rows of all tasks/],
  ['compiles', tested(ReadsValues), /LETHE_ENGINE_READ/],
  ['compiles', tested(BranchesOnGradients), /LETHE_ENGINE_READ/],
  ['compiles', tested(ReadsGates), /LETHE_ENGINE_READ/],
  ['adapter', tested(ScalesTwice), /after stage 1 value 0 of the answers to task 1 is \S+, and \S+ by its adapter/],
  ['growth', tested(SoundPrompts), /declares growth none, but after tasks 1, 2 and 3 it saves/],
  ['growth', tested(GrowingPrompts, PROMPTS), /declares growth linear/],
  ['growth', tested(GrowsInSecret), /declares growth none, but after tasks 1, 2 and 3 it saves/],
  ['growth', tested(Sound, { growth: 'linear' }), /declares growth linear/],
  ['growth', tested(GrowsTooFast, { growth: 'linear' }), /declares growth linear/],
  ['growth', tested(AddsAnAdapterEach, { growth: 'sublinear' }), /every task adds as much as the first/],
  ['rehearsal', tested(KeepsRows, { growth: 'linear' }), /array "examples\.1", saved after stage 1, holds the features of row 1 of task 1/],
  ['rehearsal', tested(KeepsScaledRows, { growth: 'linear' }), /array "directions\.1", saved after stage 1, holds the features of row \d+ of task 1/],
  ['stored-bytes', tested(HidesBytes), /json holds \d+ fractions after stage 1/],
  ['json-state', tested(SavesMap), /json is a Map/],
  ['json-state', tested(ReportsNothing), /report\(\)\[0\]\.cells\[0\]\[0\] is a number \(NaN\)/],
  ['json-state', tested(ReportsRagged), /report\(\) is not a list of tables: \/0\/cells\/0: 2 cells for 1 names/],
];
