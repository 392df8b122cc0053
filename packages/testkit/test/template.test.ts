import '../template-method/index.test.js';
import '../template-scorer/index.test.js';
