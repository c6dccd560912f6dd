package reconcile

import (
	"context"
	"io"

	"bookhook/webhook"
)

// file reads an upload block by block; the last two blocks stay in memory. It is an
// io.ReaderAt for one caller at a time.
type file struct {
	ctx    context.Context //nolint:containedctx // of the request that reads it
	store  Store
	upload webhook.Upload
	blocks [2][]byte
	kept   [2]int // numbers of the blocks
	next   int    // the block that is replaced next
}

func newFile(ctx context.Context, store Store, u webhook.Upload) *file {
	return &file{ctx: ctx, store: store, upload: u, kept: [2]int{-1, -1}}
}

// reader reads the file from its beginning.
func (f *file) reader() *io.SectionReader { return io.NewSectionReader(f, 0, int64(f.upload.Size)) }

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(to []byte, offset int64) (n int, err error) {
	for n < len(to) {
		at := int(offset) + n
		if at >= f.upload.Size {
			return n, io.EOF
		}
		block, err := f.block(at / webhook.UploadBlock)
		if err != nil {
			return n, err
		}
		within := at % webhook.UploadBlock
		if within >= len(block) {
			return n, io.ErrUnexpectedEOF
		}
		n += copy(to[n:], block[within:])
	}
	return n, nil
}

func (f *file) block(number int) ([]byte, error) {
	for i, kept := range f.kept {
		if kept == number {
			return f.blocks[i], nil
		}
	}
	block, err := f.store.UploadBlock(f.ctx, f.upload.Account, f.upload.ID, number)
	if err != nil {
		return nil, err
	}
	f.blocks[f.next], f.kept[f.next] = block, number
	f.next = 1 - f.next
	return block, nil
}
