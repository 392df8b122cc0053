/** One adapter for all tasks, trained on their union in one stage: sequential LoRA on the joint stream that the manifest asks for. */
export { default } from '../lora-sequential/index.js';
