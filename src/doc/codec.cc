#include "doc/codec.h"

#include "doc/json_words.h"

namespace tiphys::doc {

void DecodeContext::wrong_type(std::string_view expected, const Value& value) {
  add("expected " + std::string(expected) + ", found " + std::string(words_for(value)));
}

void DecodeContext::add(std::string_view what) {
  std::string message = path_.empty() ? "" : path_ + ": ";
  message += what;
  const Position position = positions_ == nullptr ? Position() : positions_->value_of(node_);
  causes_.push_back({path_, std::move(message), position});
}

Result<> DecodeContext::result() && {
  if (causes_.empty()) {
    return {};
  }
  std::string message = causes_.front().message;
  return std::unexpected(Error{ErrorCode::invalid, std::move(message), std::move(causes_)});
}

}  // namespace tiphys::doc
