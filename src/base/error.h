#pragma once
/// Errors as values. Three nouns: `ErrorCode`, the closed list of what can go wrong in the terms of
/// the Kubernetes API; `Error`, a code with a sentence for a person and, where a document is at
/// fault, the fields at fault; `Result<T>`, a value or an Error. Everything that is expected to
/// happen (a missing file, a conflict, bad input) is a Result; exceptions of libraries are
/// converted where the library is called; bugs abort through CHECK.

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiphys {

/// What went wrong. The first part maps one to one onto the `reason` of a Kubernetes Status
/// (apimachinery pkg/apis/meta/v1/types.go); `parse` and `io` never cross the API.
enum class ErrorCode {
  not_found,
  already_exists,
  conflict,
  gone,
  invalid,
  bad_request,
  forbidden,
  unauthorized,
  too_many_requests,
  timeout,
  unavailable,
  internal,
  parse,
  io,
};

/// The reason text of a code, e.g. "NotFound".
std::string_view reason_of(ErrorCode code);

/// Where in a text something stands. Lines and columns count from 1; 0 means unknown.
struct Position {
  std::size_t line = 0;
  std::size_t column = 0;
  bool operator==(const Position&) const = default;
};

/// One field at fault: its path as Kubernetes writes it ("spec.templates[0].name"), what is wrong,
/// and where it stands.
struct FieldError {
  std::string path;
  std::string message;
  Position position;
  bool operator==(const FieldError&) const = default;
};

/// A failure. `message` is lower-case without a full stop and names the object as kubectl would.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::vector<FieldError> causes;

  /// Puts "<context>: " before the message.
  Error with_context(std::string_view context) &&;
  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// Shorthand: `return fail(ErrorCode::invalid, "...")`.
std::unexpected<Error> fail(ErrorCode code, std::string message);

/// "<what>: <strerror(errno_value)>" as an io Error.
std::unexpected<Error> fail_errno(std::string_view what, int errno_value);

/// Prints the message with its place and aborts. Use through CHECK.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view why);

}  // namespace tiphys

/// Aborts when a condition that can only be false through a bug is false.
#define CHECK(condition, why)                                        \
  do {                                                               \
    if (!(condition)) [[unlikely]] {                                 \
      ::tiphys::check_failed(__FILE__, __LINE__, #condition, (why)); \
    }                                                                \
  } while (false)

#define TIPHYS_CONCAT_INNER(a, b) a##b
#define TIPHYS_CONCAT(a, b) TIPHYS_CONCAT_INNER(a, b)
#define TIPHYS_TRY(result, declaration, expression)    \
  auto&& result = (expression);                        \
  if (!result) {                                       \
    return std::unexpected(std::move(result).error()); \
  }                                                    \
  declaration = *std::move(result)
#define TIPHYS_TRY_VOID(result, expression)            \
  if (auto&& result = (expression); !result) {         \
    return std::unexpected(std::move(result).error()); \
  }

/// `TRY(auto x, f());` assigns the value of f() or returns its error from the enclosing function.
#define TRY(declaration, expression) \
  TIPHYS_TRY(TIPHYS_CONCAT(tiphys_result_, __COUNTER__), declaration, expression)
/// `TRY_VOID(f());` the same for a Result without a value.
#define TRY_VOID(expression) TIPHYS_TRY_VOID(TIPHYS_CONCAT(tiphys_result_, __COUNTER__), expression)
