#include "workflows/validate/place.h"

namespace tiphys::workflows {

Place Place::fixed(std::string path) {
  Place place(std::move(path));
  place.fixed_ = true;
  return place;
}

Place Place::below(std::string_view suffix) const {
  if (fixed_) {
    return *this;
  }
  std::string path = path_;
  path += suffix;
  return Place(std::move(path));
}

Place Place::element(std::string_view list, std::size_t index) const {
  return below(std::string(list) + "[" + std::to_string(index) + "]");
}

std::unexpected<Error> fail_at(const Place& place, std::string_view suffix, std::string message) {
  Error error{ErrorCode::invalid, std::move(message), {}};
  error.causes.push_back({place.below(suffix).path(), error.message, {}});
  return std::unexpected(std::move(error));
}

std::unexpected<Error> behind(std::string prefix, Error error) {
  error.message.insert(0, prefix);
  return std::unexpected(std::move(error));
}

std::unexpected<Error> moved_to(const Place& place, std::string_view suffix, Error error) {
  return fail_at(place, suffix, std::move(error.message));
}

Position position_of(const doc::Positions& positions, std::string_view path) {
  while (!path.empty()) {
    const doc::Positions::Node node = positions.find(path);
    if (node != doc::Positions::kNone) {
      return positions.value_of(node);
    }
    const std::size_t end = path.find_last_of(".[");
    path = path.substr(0, end == std::string_view::npos ? 0 : end);
  }
  return positions.value_of(positions.root());
}

}  // namespace tiphys::workflows
