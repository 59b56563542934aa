// The CommonJS implementation does it, so that it is done once, whatever the import style.
import './register.js';
