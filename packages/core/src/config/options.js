'use strict';
Object.defineProperty(exports, '__esModule', { value: true });
//# sourceMappingURL=options.js.map
