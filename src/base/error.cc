#include "base/error.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace tiphys {

std::string_view reason_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found:
      return "NotFound";
    case ErrorCode::already_exists:
      return "AlreadyExists";
    case ErrorCode::conflict:
      return "Conflict";
    case ErrorCode::gone:
      return "Gone";
    case ErrorCode::invalid:
      return "Invalid";
    case ErrorCode::bad_request:
      return "BadRequest";
    case ErrorCode::forbidden:
      return "Forbidden";
    case ErrorCode::unauthorized:
      return "Unauthorized";
    case ErrorCode::too_many_requests:
      return "TooManyRequests";
    case ErrorCode::timeout:
      return "Timeout";
    case ErrorCode::unavailable:
      return "ServiceUnavailable";
    case ErrorCode::internal:
      return "InternalError";
    case ErrorCode::parse:
      return "ParseError";
    case ErrorCode::io:
      return "IOError";
  }
  return "Unknown";
}

Error Error::with_context(std::string_view context) && {
  message.insert(0, std::string(context) + ": ");
  return std::move(*this);
}

std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message), {}});
}

std::unexpected<Error> fail_errno(std::string_view what, int errno_value) {
  return fail(ErrorCode::io, std::string(what) + ": " + std::strerror(errno_value));
}

void check_failed(const char* file, int line, const char* condition, std::string_view why) {
  std::fprintf(stderr, "%s:%d: check failed: %s: %.*s\n", file, line, condition,
               static_cast<int>(why.size()), why.data());
  std::abort();
}

}  // namespace tiphys
