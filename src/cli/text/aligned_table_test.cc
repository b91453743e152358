#include "cli/text/aligned_table.h"

#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

TEST(AlignedTable, columns_are_as_wide_as_their_widest_cell_and_padding) {
  AlignedTable table(2);
  table.add({"STEP", "TEMPLATE", "MESSAGE"});
  table.add({"✔ long-name", "t", ""});
  EXPECT_EQ(table.render(), "STEP         TEMPLATE  MESSAGE\n✔ long-name  t         \n");
}

TEST(AlignedTable, a_newline_within_a_cell_begins_a_line) {
  AlignedTable table(2);
  table.add({"STEP", "MESSAGE", ""});
  table.add({"a", "one\ntwo", "end"});
  EXPECT_EQ(table.render(), "STEP  MESSAGE  \na     one\ntwo   end\n");
}

TEST(AlignedTable, a_line_that_lacks_a_column_breaks_it) {
  AlignedTable table(1);
  table.add({"aaaa", "b"});
  table.add({"x"});
  table.add({"a", "b"});
  EXPECT_EQ(table.render(), "aaaa b\nx\na b\n");
}

}  // namespace
}  // namespace tiphys::cli
