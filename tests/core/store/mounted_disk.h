#pragma once

#include <QTemporaryDir>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/mount.h>

namespace tempera::test {

/// A small disk of its own (tmpfs) to fill up or make read-only; needs the right to mount.
class MountedDisk {
public:
    explicit MountedDisk(const std::string& size) {
        mounted_ = mount("tmpfs", path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
    }
    ~MountedDisk() {
        if (mounted_) umount2(path().c_str(), MNT_DETACH);
    }
    MountedDisk(const MountedDisk&) = delete;
    MountedDisk& operator=(const MountedDisk&) = delete;

    bool mounted() const { return mounted_; }
    std::filesystem::path path() const { return folder_.path().toStdString(); }
    bool make_read_only() {
        return mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
    }

    /// Leaves not a byte.
    void fill() {
        std::ofstream file(path() / "filling", std::ios::binary | std::ios::app);
        std::string block(4096, 'x');
        while (file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
        }
        file.clear();
        while (file.put('x').flush()) {
        }
    }
    void drain() { std::filesystem::remove(path() / "filling"); }

private:
    QTemporaryDir folder_;
    bool mounted_ = false;
};

#define REQUIRE_DISK(disk)                                                                                   \
    if (!(disk).mounted()) QSKIP("no right to mount a small disk (tmpfs) here")

} // namespace tempera::test
