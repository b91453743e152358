#include "cluster/node/keeper_image.h"

asm(".section .rodata\n"
    ".balign 16\n"
    "tiphys_keeper_image_begin:\n"
    ".incbin \"" TIPHYS_KEEPER_FILE
    "\"\n"
    "tiphys_keeper_image_end:\n"
    ".byte 0\n"
    ".previous\n");

extern "C" const char tiphys_keeper_image_begin[];
extern "C" const char tiphys_keeper_image_end[];

namespace tiphys::node {

std::string_view keeper_image() {
  return {tiphys_keeper_image_begin,
          static_cast<std::size_t>(tiphys_keeper_image_end - tiphys_keeper_image_begin)};
}

}  // namespace tiphys::node
