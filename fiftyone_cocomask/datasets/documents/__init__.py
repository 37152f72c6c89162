"""FiftyOne's private API: documents of samples, and runs and views, as they are stored.

Reading and writing whole batches of documents is what makes imports, masks and
evaluations fast: FiftyOne's public calls build one Python object per label. Tests
compare every document written here with the one that ``Dataset.add_samples`` writes.
No other folder uses FiftyOne's private API.
"""

from __future__ import annotations

from .fields import add_label_schema as add_label_schema
from .fields import declare_missing_paths as declare_missing_paths
from .fields import declare_paths as declare_paths
from .fields import have_values as have_values
from .fields import many_fields as many_fields
from .fields import move_values as move_values
from .fields import remove_values as remove_values
from .fields import rename_label_attributes as rename_label_attributes
from .reading import BATCH_SIZE as BATCH_SIZE
from .reading import MAX_BATCH_BYTES as MAX_BATCH_BYTES
from .reading import MODIFIED as MODIFIED
from .reading import aggregate_documents as aggregate_documents
from .reading import count_samples as count_samples
from .reading import decode_without as decode_without
from .reading import document_sizes as document_sizes
from .reading import encoded_size as encoded_size
from .reading import field_info as field_info
from .reading import has_any_sample as has_any_sample
from .reading import has_more_samples as has_more_samples
from .reading import has_samples as has_samples
from .reading import ids_of as ids_of
from .reading import image_paths_below as image_paths_below
from .reading import label_value_types as label_value_types
from .reading import num_samples as num_samples
from .reading import read_documents as read_documents
from .reading import read_encoded_documents as read_encoded_documents
from .reading import sample_ids as sample_ids
from .reading import samples_state as samples_state
from .reading import stream_documents as stream_documents
from .reading import stream_encoded_documents as stream_encoded_documents
from .views import Document as Document
from .views import all_images as all_images
from .views import backing_dataset as backing_dataset
from .views import current_dataset as current_dataset
from .views import dataset_id as dataset_id
from .views import is_generated as is_generated
from .views import patches_field as patches_field
from .views import pipeline as pipeline
from .views import reload_patches as reload_patches
from .views import root_dataset as root_dataset
from .views import serialized as serialized
from .views import serialized_stage as serialized_stage
from .views import showing as showing
from .views import ungrouped_samples as ungrouped_samples
from .views import whole_samples as whole_samples
from .views import with_all_fields as with_all_fields
from .writing import Update as Update
from .writing import change_documents as change_documents
from .writing import check_written as check_written
from .writing import declare_images as declare_images
from .writing import encoded_documents as encoded_documents
from .writing import insert_documents as insert_documents
from .writing import insert_encoded_documents as insert_encoded_documents
from .writing import mark_documents as mark_documents
from .writing import new_sample_document as new_sample_document
from .writing import settle as settle
from .writing import update_documents as update_documents
from .writing import with_new_ids as with_new_ids
from .writing import write_time as write_time
