#include "workflows/locks/locks.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace tiphys::workflows {
namespace {

doc::Value json(std::string_view text) { return doc::parse_json(text).value(); }

std::string texts(std::string_view synchronization) {
  const auto locks = wanted_locks(json(synchronization), "ns");
  if (!locks) {
    return locks.error().message;
  }
  std::string out;
  for (const LockName& lock : *locks) {
    out += lock.text() + " ";
  }
  return out;
}

TEST(LockNames, semaphores_come_before_mutexes) {
  EXPECT_EQ(texts(R"({"mutexes":[{"name":"m"},{"name":"n","namespace":"other"}],
                      "semaphores":[{"configMapKeyRef":{"name":"c","key":"k"}}]})"),
            "ns/ConfigMap/c/k ns/Mutex/m other/Mutex/n ");
}

TEST(LockNames, the_same_lock_in_other_words_counts_once) {
  EXPECT_EQ(texts(R"({"mutexes":[{"name":"m"},{"name":"m","namespace":"ns"}]})"), "ns/Mutex/m ");
}

TEST(LockNames, mistakes_are_told_in_upstreams_words) {
  EXPECT_EQ(texts(R"({"mutexes":[{"name":"m"},{"name":"m"}]})"),
            "requested configuration is invalid: duplicate synchronization item found");
  EXPECT_EQ(texts(R"({"semaphores":[{}]})"),
            "requested configuration is invalid: cannot get LockName for a Semaphore without a "
            "ConfigMapRef or Database");
  EXPECT_EQ(
      texts(
          R"({"semaphores":[{"configMapKeyRef":{"name":"c","key":"k"},"database":{"key":"d"}}]})"),
      "requested configuration is invalid: invalid semaphore with both ConfigMapKeyRef and "
      "Database");
  EXPECT_EQ(texts(R"({"mutexes":[{"name":"m","database":true}]})"),
            "database session is not available for mutex ns/Database/m");
  EXPECT_EQ(texts(R"({"mutexes":[{}]})"), "Invalid lock key: ResourceName is missing");
  EXPECT_EQ(texts(R"({"semaphores":[{"configMapKeyRef":{"name":"c/d","key":"k"}}]})"),
            "Invalid ConfigMap lock key: unknown format");
  EXPECT_EQ(texts(R"({"mutexes":[{"name":"m","namespace":"a/Mutex/b"}]})"),
            "Invalid lock key: unknown format");
}

TEST(LockNames, are_read_back) {
  for (const std::string_view text : {"ns/Mutex/m", "ns/Mutex/a/b", "ns/ConfigMap/c/k"}) {
    EXPECT_EQ(LockName::parse(text).value().text(), text);
  }
  for (const std::string_view text :
       {"", "ns", "ns/Mutex", "ns/Mutex/", "/Mutex/m", "ns/ConfigMap/c", "ns/ConfigMap/c/",
        "ns/ConfigMap/c/k/x", "ns/Database/d"}) {
    EXPECT_FALSE(LockName::parse(text)) << text;
  }
}

}  // namespace
}  // namespace tiphys::workflows
