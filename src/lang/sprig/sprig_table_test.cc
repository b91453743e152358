#include "lang/sprig/sprig.h"
