// Every operation against plain float64 loops: the suite that all backends pass.
import "../../ops/test/operations/attention.test.ts";
import "../../ops/test/operations/convolution.test.ts";
import "../../ops/test/operations/dino-cross-entropy.test.ts";
import "../../ops/test/operations/entropy.test.ts";
import "../../ops/test/operations/linear.test.ts";
import "../../ops/test/operations/norms.test.ts";
import "../../ops/test/operations/tokens.test.ts";
import "../../ops/test/operations/updates.test.ts";
import "../../ops/test/repair/repair-backend.test.ts";
