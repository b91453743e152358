#pragma once
/// The local artifact store: a folder that presents itself with `s3` locations.
///
///   <root>/objects/<key>            the default repository
///   <root>/buckets/<bucket>/<key>   locations that name a bucket; endpoint and credentials are
///                                   accepted and not looked at
///   <root>/scratch/                 objects in the making
///
/// Objects are what their keys say: a user may look at them, or copy them out, with any program.
/// A folder saved as one object is a folder here, so K/part is an object of its own (subPath). When
/// K is a file and K/part is saved too, the file moves to K/.tiphys-self and keeps answering to K.
///
/// Immutable: stored files have mode 0444 (0555 if executable), belong to us and are never written
/// to again; saving over a key puts a new file in the old one's place, so that hard links handed
/// out before keep the old bytes. Consumers either read them through a copy-on-write layer, which
/// copies a file before its first change, or ask for their own copy (Sharing::own_copy). Only a
/// program that runs as our own user outside such a layer and ignores the mode could change stored
/// bytes; size or time then differ from the object's record and its digest is computed anew.
///
/// Durability: an object is complete or absent after the death of the program at any moment, as it
/// appears by a rename. It is not synced one by one: after a loss of power the last seconds'
/// objects may be missing or empty. Call sync() before writing down durably that they exist. An
/// object cut short does not match its record and shows another digest.

#include "artifacts/artifacts.h"

#include <memory>

namespace tiphys::artifacts {

class LocalStore final : public Store {
 public:
  /// Opens the store at `root`, making the folder if it is missing, and empties what a killed
  /// program left in scratch/. One program at a time may use a root.
  static Result<std::unique_ptr<LocalStore>> open(const std::filesystem::path& root);
  /// The same only to read: makes and removes nothing, and may be used beside the program that has
  /// the root. Nothing can be saved. Error not_found when there is no store.
  static Result<std::unique_ptr<LocalStore>> open_to_read(const std::filesystem::path& root);
  ~LocalStore() override;
  LocalStore(const LocalStore&) = delete;
  LocalStore& operator=(const LocalStore&) = delete;

  Result<> load(const doc::Value& location, const std::filesystem::path& destination,
                Sharing sharing) override;
  Result<Stored> save(const doc::Value& location, const std::filesystem::path& source,
                      Source mode) override;
  Result<Stored> stat(const doc::Value& location) override;
  Result<> link(const doc::Value& from, const doc::Value& to) override;
  Result<> remove(const doc::Value& location) override;
  std::filesystem::path scratch() const override;

  /// Where the object of `location` stands, for programs that read it. not_found when there is
  /// none.
  Result<std::filesystem::path> path_of(const doc::Value& location) const;
  /// Makes all that was stored survive a loss of power (one syncfs).
  Result<> sync();

 private:
  struct Impl;
  explicit LocalStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tiphys::artifacts
